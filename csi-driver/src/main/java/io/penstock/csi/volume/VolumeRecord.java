package io.penstock.csi.volume;

/**
 * What is kept of a published volume.
 *
 * @param session that it shows; empty: none, its files are shown directly
 * @param digest of the snapshot
 * @param objects of the snapshot
 * @param bytes of the snapshot
 */
record VolumeRecord(VolumeSpec spec, String session, String digest, long objects, long bytes) {
    VolumeRecord {
        if (session == null || digest == null) {
            throw new IllegalArgumentException("a volume without a session or a snapshot");
        }
    }

    boolean direct() {
        return session.isEmpty();
    }
}
