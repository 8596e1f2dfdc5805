package io.penstock.cache.control.server;

/**
 * A mount at one moment.
 *
 * @param readers files open now
 * @param readBytes served by the daemon; what the kernel reads by passthrough is not seen
 */
public record MountStats(int readers, long readBytes, long opensPlain, long opensPassthrough, long errors) {

    /** How files were read so far: {@code passthrough}, {@code plain}, {@code mixed}, or {@code -} when none was opened. */
    public String mode() {
        if (opensPassthrough == 0 && opensPlain == 0) {
            return "-";
        }
        if (opensPassthrough == 0) {
            return "plain";
        }
        return opensPlain == 0 ? "passthrough" : "mixed";
    }
}
