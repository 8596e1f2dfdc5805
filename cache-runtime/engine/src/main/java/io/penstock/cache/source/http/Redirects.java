package io.penstock.cache.source.http;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.net.Authority;
import io.penstock.cache.source.net.HttpRequest;
import io.penstock.cache.source.net.ResponseHead;
import java.net.URI;

/** Where a redirect leads. */
final class Redirects {
    static final int MAX_HOPS = 3;

    private Redirects() {}

    static boolean is(ResponseHead head) {
        return switch (head.status()) {
            case 301, 302, 303, 307, 308 -> head.header("location") != null;
            default -> false;
        };
    }

    /** The place that the answer to {@code asked} points to. From https it never leads to http. */
    static HttpLocation follow(String what, HttpRequest asked, ResponseHead head, int hops) throws SourceException {
        if (hops >= MAX_HOPS) {
            throw refused(what, "it redirects more than " + MAX_HOPS + " times");
        }
        HttpLocation to;
        try {
            URI from = URI.create(asked.authority() + asked.target());
            to = HttpLocation.of(from.resolve(head.header("location")));
        } catch (IllegalArgumentException e) {
            // Not chained: its message repeats the address, whose query may be a secret.
            throw refused(what, "it redirects to something that is no address");
        }
        Authority authority = to.authority();
        if (asked.authority().tls() && !authority.tls()) {
            throw refused(what, "it redirects from https to http");
        }
        return to;
    }

    private static SourceException refused(String what, String why) {
        return new SourceException(
                ErrorCode.ORIGIN_PROTOCOL,
                "cannot " + what + ": " + why,
                "give the address it redirects to as location",
                false,
                null);
    }
}
