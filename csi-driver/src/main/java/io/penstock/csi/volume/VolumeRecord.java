package io.penstock.csi.volume;

/**
 * What is kept of a published volume.
 *
 * @param session that it shows; empty: none, its files are shown directly
 * @param digest of the snapshot
 * @param objects of the snapshot
 * @param bytes of the snapshot
 * @param ownCredentials whether it is read with what came with the call that published it, which is not kept
 */
record VolumeRecord(VolumeSpec spec, String session, String digest, long objects, long bytes, boolean ownCredentials) {
    VolumeRecord {
        if (session == null || digest == null) {
            throw new IllegalArgumentException("a volume without a session or a snapshot");
        }
    }

    VolumeRecord with(boolean own) {
        return new VolumeRecord(spec, session, digest, objects, bytes, own);
    }

    boolean direct() {
        return session.isEmpty();
    }
}
