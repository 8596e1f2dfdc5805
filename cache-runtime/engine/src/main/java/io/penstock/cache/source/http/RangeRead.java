package io.penstock.cache.source.http;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Transfer;
import io.penstock.cache.source.TransferListener;
import io.penstock.cache.source.net.Body;
import io.penstock.cache.source.net.HttpRequest;
import io.penstock.cache.source.net.NetClient;
import io.penstock.cache.source.net.NetException;
import io.penstock.cache.source.net.ResponseHandler;
import io.penstock.cache.source.net.ResponseHead;
import java.lang.foreign.MemorySegment;

/**
 * One range of one version of an object on its way into native memory. The bytes are taken only from an answer that
 * states the range asked for, the object's size and its version.
 */
public final class RangeRead implements Transfer, ResponseHandler {
    private static final int ERROR_BODY = 64 << 10;

    private final NetClient client;
    private final RangeProtocol protocol;
    private final ObjectId object;
    private final ByteRange range;
    private final MemorySegment target;
    private final TransferListener listener;

    private volatile Transfer current;
    private volatile boolean cancelled;
    private HttpRequest asked;
    private int hops;
    private ResponseHead refusal;
    private SourceException wrong;

    private RangeRead(
            NetClient client,
            RangeProtocol protocol,
            ObjectId object,
            ByteRange range,
            MemorySegment target,
            TransferListener listener) {
        this.client = client;
        this.protocol = protocol;
        this.object = object;
        this.range = range;
        this.target = target;
        this.listener = listener;
    }

    /** Starts to read; see {@link io.penstock.cache.source.Source#read}. */
    public static Transfer start(
            NetClient client,
            RangeProtocol protocol,
            ObjectId object,
            ByteRange range,
            MemorySegment target,
            TransferListener listener) {
        if (target.byteSize() != range.length() || range.end() > object.size()) {
            throw new IllegalArgumentException("range, target and object do not fit together");
        }
        RangeRead read = new RangeRead(client, protocol, object, range, target, listener);
        if (protocol.isInstant()) {
            read.first();
        } else {
            Thread.ofVirtual().name("penstock-request").start(read::first);
        }
        return read;
    }

    private void first() {
        try {
            send(protocol.request(object));
        } catch (SourceException e) {
            listener.failed(e);
        }
    }

    private void send(HttpRequest request) throws SourceException {
        request.header("Range", "bytes=" + range.offset() + "-" + (range.end() - 1));
        asked = request;
        if (cancelled) {
            throw new SourceException(
                    ErrorCode.ORIGIN_CANCELLED, "cannot read " + object + ": it was cancelled", "", false, null);
        }
        Transfer transfer = client.send(request, this);
        current = transfer;
        if (cancelled) {
            transfer.cancel();
        }
    }

    @Override
    public void cancel() {
        cancelled = true;
        Transfer transfer = current;
        if (transfer != null) {
            transfer.cancel();
        }
    }

    @Override
    public Body head(ResponseHead head) {
        refusal = null;
        if (head.status() != 206 && head.status() != 200) {
            refusal = head;
            return new Body.Collect(ERROR_BODY);
        }
        wrong = wrong(head);
        return wrong == null ? new Body.Into(target) : Body.REFUSE;
    }

    @Override
    public void received(long total) {
        listener.received(total);
    }

    @Override
    public void completed(byte[] collected) {
        if (wrong != null) {
            listener.failed(wrong);
        } else if (refusal == null) {
            listener.completed();
        } else if (protocol.isInstant()) {
            again(collected);
        } else {
            Thread.ofVirtual().name("penstock-request").start(() -> again(collected));
        }
    }

    private void again(byte[] body) {
        try {
            send(protocol.next(object, asked, refusal, body, hops++));
        } catch (SourceException e) {
            listener.failed(e);
        }
    }

    @Override
    public void failed(NetException error) {
        listener.failed(error.during("read " + object));
    }

    /** Why these bytes must not be taken; null when they may. */
    private SourceException wrong(ResponseHead head) {
        String version = protocol.version(head);
        if (version == null) {
            return protocolError("the answer states no version of it");
        }
        if (!version.equals(object.version())) {
            return SourceException.changed(object);
        }
        if (head.status() == 200) {
            boolean whole = range.offset() == 0 && range.length() == object.size();
            return whole ? null : protocolError("the origin ignores ranges and sends all of it");
        }
        String stated = head.header("content-range");
        String wanted = "bytes " + range.offset() + "-" + (range.end() - 1) + "/";
        if (stated == null || !stated.startsWith(wanted)) {
            return protocolError("the answer is for another range");
        }
        String total = stated.substring(wanted.length());
        if (!total.equals("*") && !total.equals(Long.toString(object.size()))) {
            return SourceException.changed(object);
        }
        return null;
    }

    private SourceException protocolError(String what) {
        return new SourceException(
                ErrorCode.ORIGIN_PROTOCOL,
                "cannot read " + object + ": " + what,
                "use a server that supports range requests",
                false,
                null);
    }
}
