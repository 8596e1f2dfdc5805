package io.penstock.csi.volume;

/** How a pod reaches the bytes. */
public enum Access {
    /** Direct when the snapshot is complete on the node at publish, else FUSE. */
    AUTO,
    /** Through a session: usable at once, and complete files are passed through. */
    FUSE,
    /** Complete files themselves, without a daemon on the way. */
    DIRECT
}
