package io.penstock.cache.runtime;

import io.penstock.cache.control.custody.CustodyChannel;
import io.penstock.cache.control.custody.v1.BackingClose;
import io.penstock.cache.control.custody.v1.BackingOpen;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.fuse.Backing;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Supplier;

/** Has the holder register files with the kernel. While there is none, files are read through the daemon. */
final class HolderBacking implements Backing {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final String session;
    private final Supplier<CustodyChannel> holder;

    HolderBacking(String session, Supplier<CustodyChannel> holder) {
        this.session = session;
        this.holder = holder;
    }

    @Override
    public int register(Fd file) throws IOException {
        Packet.Builder packet =
                Packet.newBuilder().setBackingOpen(BackingOpen.newBuilder().setSession(session));
        return ask(packet, file).getBackingOpened().getId();
    }

    @Override
    public void unregister(int id) throws IOException {
        Packet ignored = ask(Packet.newBuilder()
                .setBackingClose(BackingClose.newBuilder().setSession(session).setId(id)));
    }

    private Packet ask(Packet.Builder packet, Fd... fds) throws IOException {
        CustodyChannel channel = holder.get();
        if (channel == null) {
            throw new IOException("nobody holds the mounts at the moment");
        }
        try {
            CustodyChannel.Answer answer = channel.ask(packet, PATIENCE, fds);
            answer.fds().forEach(Fd::close);
            return answer.packet();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
