package io.penstock.sidecar;

/** Whether the engine may start. Once open it stays open. Thread-safe. */
final class Gate {
    private volatile boolean open;
    private volatile String reached = "nothing is fetched yet";

    void open() {
        open = true;
    }

    boolean isOpen() {
        return open;
    }

    /** What a probe is told while it is closed. */
    void reached(String text) {
        reached = text;
    }

    /** Empty when it is open. */
    String trouble() {
        return open ? "" : reached;
    }
}
