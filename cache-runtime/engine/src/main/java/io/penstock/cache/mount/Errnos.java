package io.penstock.cache.mount;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.model.ErrorCode;

/**
 * The one place where an error of the reader becomes the errno that a program sees from open(2) or read(2). A page fault
 * on a mapped file that meets the same error is a SIGBUS.
 *
 * <table>
 *   <caption>What a program sees</caption>
 *   <tr><th>errno</th><th>why</th></tr>
 *   <tr><td>ESTALE</td><td>the object changed at the origin since the snapshot was taken; mount again to get the new one</td></tr>
 *   <tr><td>ENODATA</td><td>the object is gone from the origin and not on this node</td></tr>
 *   <tr><td>EACCES</td><td>the origin denies access, or there are no usable credentials</td></tr>
 *   <tr><td>ETIMEDOUT</td><td>the origin did not answer in time, retries included</td></tr>
 *   <tr><td>EHOSTUNREACH</td><td>the origin cannot be reached</td></tr>
 *   <tr><td>EBUSY</td><td>the origin kept asking to slow down</td></tr>
 *   <tr><td>EINTR</td><td>a signal came while the read waited</td></tr>
 *   <tr><td>EROFS</td><td>any attempt to write</td></tr>
 *   <tr><td>EIO</td><td>everything else: the log has one line with the code and the object</td></tr>
 * </table>
 */
public final class Errnos {
    private Errnos() {}

    /** Positive errno for {@code code}. */
    public static int of(ErrorCode code) {
        return switch (code) {
            case ORIGIN_CHANGED -> Errno.ESTALE;
            case ORIGIN_NOT_FOUND -> Errno.ENODATA;
            case ORIGIN_DENIED, ORIGIN_NO_CREDENTIALS, NOT_PERMITTED -> Errno.EACCES;
            case ORIGIN_TIMEOUT -> Errno.ETIMEDOUT;
            case ORIGIN_UNREACHABLE -> Errno.EHOSTUNREACH;
            case ORIGIN_THROTTLED -> Errno.EBUSY;
            default -> Errno.EIO;
        };
    }
}
