package io.penstock.cache.plan.rank;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A tensor, and what its name says of it.
 *
 * @param layer -1: beside the layers
 * @param expert -1: of none
 * @param rule null where the name is not known
 * @param leaf what it is to its matrix: {@code weight}
 * @param weight that it scales; null where there is none
 */
record Placed(Tensor tensor, int layer, int expert, Rule rule, String leaf, Tensor weight) {
    static final String SCALE = "weight_scale_inv";
    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d{1,6})\\.(.+)");
    private static final Pattern EXPERT = Pattern.compile("(.*\\bexperts)\\.(\\d{1,6})\\.(.+)");

    static List<Placed> all(Family family, List<Tensor> tensors) {
        Map<String, Tensor> weights = new HashMap<>();
        for (Tensor t : tensors) {
            if (t.name().endsWith(".weight")) {
                weights.put(t.name(), t);
            }
        }
        List<Placed> all = new ArrayList<>(tensors.size());
        for (Tensor t : tensors) {
            String scaled =
                    t.name().endsWith(SCALE) ? t.name().substring(0, t.name().length() - 10) : "";
            all.add(of(family, t, weights.get(scaled)));
        }
        return all;
    }

    private static Placed of(Family family, Tensor tensor, Tensor weight) {
        Matcher layer = LAYER.matcher(tensor.name());
        if (!layer.matches()) {
            return new Placed(
                    tensor, -1, -1, Family.outside(module(tensor.name())).orElse(null), leaf(tensor.name()), weight);
        }
        String within = layer.group(2);
        Matcher expert = EXPERT.matcher(within);
        boolean ofExpert = expert.matches();
        String name = ofExpert ? expert.group(1) + "." + expert.group(3) : within;
        return new Placed(
                tensor,
                Integer.parseInt(layer.group(1)),
                ofExpert ? Integer.parseInt(expert.group(2)) : -1,
                family.within(module(name)).orElse(null),
                leaf(name),
                weight);
    }

    private static String module(String name) {
        return name.substring(0, Math.max(0, name.lastIndexOf('.')));
    }

    private static String leaf(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** Whether engines compute it by themselves. */
    boolean unused() {
        return leaf.equals("inv_freq");
    }
}
