package io.penstock.operator.api;

/** Reasons of conditions, and what each means. They are the words that scripts may look for. */
public enum Reason {
    Resolved("The origin was listed, and the snapshot is known"),
    AccessDenied("The origin refuses the credentials"),
    NotFound("There is nothing at the location"),
    OriginUnreachable("The origin does not answer, or not as it should"),
    Fits("The model fits into the cache of a node"),
    NoRoom("The model does not fit into the cache of any node"),
    InProgress("Bytes are on their way"),
    Complete("Everything that was asked for is on the nodes, and checked"),
    OriginChanged("The files at the origin are not those of the snapshot any more"),
    Current("The snapshot is the newest that was seen"),
    Ready("A pod can mount it now"),
    Accepted("The spec can be carried out"),
    NotStarted("Nothing has asked for the bytes yet"),
    RuntimeMissing("There is no runtime of that name"),
    SecretMissing("A Secret, or a key in it, does not exist"),
    ClaimTaken("Another claim has the name of the Dataset"),
    InUse("Pods still mount it"),
    NotShared("The Dataset that it refers to does not exist, or is not shared with this namespace"),
    InvalidSpec("The spec cannot be carried out"),
    AllNodesReady("Every node of the runtime has a daemon that is ready"),
    RollingOut("Daemons are being started or replaced"),
    NodesNotReady("Nodes of the runtime have no daemon that is ready"),
    KernelTooOld("Nodes have a kernel without passthrough or take-over"),
    DiskFailing("The disk of a cache cannot be written or read"),
    Suspended("It was told to wait"),
    Scheduled("It waits for its next time, or for a new snapshot"),
    Stalled("Nothing has arrived for a while"),
    DeadlineExceeded("It was not complete in time"),
    ChecksumMismatch("Stored bytes were not what they should be"),
    DatasetNotReady("The Dataset has no snapshot yet");

    private final String meaning;

    Reason(String meaning) {
        this.meaning = meaning;
    }

    public String meaning() {
        return meaning;
    }
}
