package io.penstock.cache.source.net;

import io.netty.util.NetUtil;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Which proxy is asked for whom, as {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY}, {@code NO_PROXY} say. */
public final class Proxies {
    public static final Proxies NONE = new Proxies(null, null, List.of());

    private final Proxy plain;
    private final Proxy tls;
    private final List<String> except;

    private Proxies(Proxy plain, Proxy tls, List<String> except) {
        this.plain = plain;
        this.tls = tls;
        this.except = except;
    }

    /**
     * Reads the variables; lower case wins, as everywhere.
     *
     * @throws IllegalArgumentException when one cannot be read; the message does not repeat it
     */
    public static Proxies of(Map<String, String> environment) {
        String all = get(environment, "all_proxy");
        String plain = get(environment, "http_proxy");
        String tls = get(environment, "https_proxy");
        String none = get(environment, "no_proxy");
        List<String> except = none == null
                ? List.of()
                : Arrays.stream(none.split("[,\\s]+", -1))
                        .map(s -> s.strip().toLowerCase(Locale.ROOT))
                        .filter(s -> !s.isEmpty())
                        .toList();
        return new Proxies(parse(plain == null ? all : plain), parse(tls == null ? all : tls), except);
    }

    private static Proxy parse(String text) {
        return text == null ? null : Proxy.parse(text);
    }

    private static String get(Map<String, String> environment, String name) {
        String value = environment.get(name);
        if (value == null) {
            value = environment.get(name.toUpperCase(Locale.ROOT));
        }
        return value == null || value.isBlank() ? null : value.strip();
    }

    /** The proxy for {@code authority}, or null. */
    Proxy select(Authority authority) {
        Proxy proxy = authority.tls() ? tls : plain;
        return proxy == null || except.stream().anyMatch(e -> matches(e, authority)) ? null : proxy;
    }

    private static boolean matches(String pattern, Authority authority) {
        if (pattern.equals("*")) {
            return true;
        }
        String host = authority.host();
        int slash = pattern.indexOf('/');
        if (slash > 0) {
            return inNetwork(host, pattern.substring(0, slash), pattern.substring(slash + 1));
        }
        String name = pattern;
        int colon = pattern.lastIndexOf(':');
        if (colon > 0 && pattern.indexOf(':') == colon) {
            if (!pattern.substring(colon + 1).equals(Integer.toString(authority.port()))) {
                return false;
            }
            name = pattern.substring(0, colon);
        }
        if (name.startsWith("*.")) {
            name = name.substring(1);
        }
        String suffix = name.startsWith(".") ? name : "." + name;
        return host.equals(suffix.substring(1)) || host.endsWith(suffix);
    }

    private static boolean inNetwork(String host, String network, String bits) {
        byte[] address = NetUtil.createByteArrayFromIpAddressString(host);
        byte[] base = NetUtil.createByteArrayFromIpAddressString(network);
        if (address == null || base == null || address.length != base.length || !bits.matches("\\d{1,3}")) {
            return false;
        }
        int shift = address.length * 8 - Integer.parseInt(bits);
        return shift >= 0
                && new BigInteger(1, address).shiftRight(shift).equals(new BigInteger(1, base).shiftRight(shift));
    }
}
