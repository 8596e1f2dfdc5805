package io.penstock.cache.source.http;

import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.net.HttpRequest;
import io.penstock.cache.source.net.ResponseHead;

/** What differs between origins when a range is read: how it is asked for, and what a refusal means. Thread-safe. */
public interface RangeProtocol {
    /** Whether {@link #request} is quick. When not, it runs on a thread of its own. */
    boolean isInstant();

    /** The request for an object; may have to fetch credentials first. {@code Range} is added by the caller. */
    HttpRequest request(ObjectId object) throws SourceException;

    /**
     * A refusal, with the start of its body. Either throws what it means, or returns a request to send instead.
     *
     * @param asked what was refused
     * @param hops how many requests this read has sent after the first
     */
    HttpRequest next(ObjectId object, HttpRequest asked, ResponseHead head, byte[] body, int hops)
            throws SourceException;

    /** The version that a successful answer states; null when it states none. */
    String version(ResponseHead head);
}
