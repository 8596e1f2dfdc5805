package io.penstock.operator.admission;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.fabric8.zjsonpatch.JsonDiff;
import io.penstock.operator.api.CacheRuntime;
import io.penstock.operator.api.DataLoad;
import io.penstock.operator.api.Dataset;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Answers AdmissionReviews ({@code admission.k8s.io/v1}). Thread-safe. */
final class Reviews {
    static final String OTHER = "other";

    private static final int UNPROCESSABLE = 422;

    private static final Set<String> KINDS = Set.of("Pod", "Dataset", "CacheRuntime", "DataLoad");

    private final ObjectMapper json = new ObjectMapper();
    private final KubernetesSerialization serialization = new KubernetesSerialization();
    private final PodChange change;

    Reviews(PodChange change) {
        this.change = change;
    }

    /**
     * The answer to one review.
     *
     * @param kind of the object: Pod, Dataset, CacheRuntime, DataLoad, other
     * @param result allowed, changed or denied
     */
    record Answer(String body, String kind, String result) {}

    /**
     * Answers one review.
     *
     * @throws JsonProcessingException when it is none
     */
    Answer answer(byte[] body) throws JsonProcessingException {
        JsonNode request = parse(body).path("request");
        JsonNode object = request.path("object");
        if (!request.path("uid").isTextual() || !object.isObject()) {
            throw new BadReview("no AdmissionReview with a uid and an object");
        }
        ObjectNode response =
                json.createObjectNode().put("uid", request.get("uid").asText());
        String kind = request.path("kind").path("kind").asText();
        switch (asksNothing(request) ? "" : kind) {
            case "Pod" -> pod(response, object, request.path("namespace").asText());
            case "Dataset" -> verdict(response, kind, Rules.problems(convert(object, Dataset.class)));
            case "CacheRuntime" -> verdict(response, kind, RuntimeRules.problems(convert(object, CacheRuntime.class)));
            case "DataLoad" -> verdict(response, kind, Rules.problems(convert(object, DataLoad.class)));
            default -> response.put("allowed", true);
        }
        ObjectNode review =
                json.createObjectNode().put("apiVersion", "admission.k8s.io/v1").put("kind", "AdmissionReview");
        review.set("response", response);
        String result = !response.get("allowed").asBoolean() ? "denied" : response.has("patch") ? "changed" : "allowed";
        return new Answer(json.writeValueAsString(review), KINDS.contains(kind) ? kind : OTHER, result);
    }

    /** An object that is going, or whose spec stays: whatever the rules say by now, it must be possible to let it go. */
    private static boolean asksNothing(JsonNode request) {
        JsonNode object = request.path("object");
        return request.path("operation").asText().equals("UPDATE")
                && (object.path("metadata").hasNonNull("deletionTimestamp")
                        || object.path("spec").equals(request.path("oldObject").path("spec")));
    }

    private JsonNode parse(byte[] body) throws JsonProcessingException {
        return json.readTree(new String(body, StandardCharsets.UTF_8));
    }

    private <T> T convert(JsonNode object, Class<T> type) {
        return serialization.convertValue(object, type);
    }

    private void pod(ObjectNode response, JsonNode object, String namespace) throws JsonProcessingException {
        response.put("allowed", true);
        Pod before = convert(object, Pod.class);
        Optional<Pod> after = change.apply(before, namespace);
        if (after.isEmpty()) {
            return;
        }
        // Both through the same types: what these do not know is in neither, and stays.
        JsonNode patch = JsonDiff.asJson(tree(before), tree(after.get()));
        response.put("patchType", "JSONPatch")
                .put("patch", Base64.getEncoder().encodeToString(json.writeValueAsBytes(patch)));
    }

    private JsonNode tree(Pod pod) throws JsonProcessingException {
        return json.readTree(serialization.asJson(pod));
    }

    private static void verdict(ObjectNode response, String kind, List<String> problems) {
        response.put("allowed", problems.isEmpty());
        if (!problems.isEmpty()) {
            response.putObject("status")
                    .put("code", UNPROCESSABLE)
                    .put("reason", "Invalid")
                    .put("message", kind + " is invalid: " + String.join("; ", problems));
        }
    }

    /** What came is JSON, and no review. */
    static final class BadReview extends JsonProcessingException {
        private static final long serialVersionUID = 1;

        BadReview(String message) {
            super(message);
        }
    }
}
