package io.penstock.cache.control.rpc;

import java.net.InetSocketAddress;

/** Addresses as people write them. */
public final class Addresses {
    private Addresses() {}

    /**
     * From {@code host:port}; an IPv6 address stands in brackets.
     *
     * @throws IllegalArgumentException it is none
     */
    public static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = text.substring(0, Math.max(0, colon)).replaceAll("^\\[|]$", "");
        return new InetSocketAddress(host, Integer.parseInt(text.substring(colon + 1)));
    }

    /** As {@link #parse} reads it. */
    static String text(InetSocketAddress address) {
        String host = address.getHostString();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
    }
}
