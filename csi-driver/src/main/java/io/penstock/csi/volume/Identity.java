package io.penstock.csi.volume;

/** Whose credentials a volume is read with. */
public enum Identity {
    /** The secret's if there is one, the pod's if a role is named, else the node's. */
    AUTO,
    /** Keys in the secret that the volume names. */
    SECRET,
    /** A role, for the token of the pod's service account. */
    POD,
    /** The daemon's own. */
    NODE
}
