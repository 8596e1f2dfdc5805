package io.penstock.gpu.service;

import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Device;
import io.penstock.gpu.device.Devices;
import io.penstock.gpu.pipeline.Fill;
import io.penstock.gpu.pipeline.Pipeline;
import io.penstock.gpu.pipeline.Stages;
import io.penstock.gpu.service.Protocol.Item;
import io.penstock.gpu.service.Protocol.Request;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One engine and one model. The thread that runs it reads what the engine says; threads of the pipeline say what is done.
 * Whatever the engine sends, and whenever it goes away, all of this ends and gives back what it held.
 */
final class Session {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);
    private static final Duration GREETING = Duration.ofSeconds(30);
    private static final Duration PATIENCE_TO_SEND = Duration.ofSeconds(30);
    private static final int PAGE = 2000;
    private static final int MOST_PARTS = 1 << 20;

    private final UnixSocket socket;
    private final Frames frames;
    private final Devices devices;
    private final Models models;
    private final Pipeline.Options options;
    private final Stages stages = new Stages();
    private final Slots slots = new Slots();
    private final List<Item> unfinished = new ArrayList<>();
    private Model model;
    private Device device;
    private Pipeline pipeline;

    Session(UnixSocket socket, Devices devices, Models models, Pipeline.Options options) {
        this.socket = socket;
        this.frames = new Frames(socket);
        this.devices = devices;
        this.models = models;
        this.options = options;
    }

    /** Serves until the engine goes, or does not keep to the protocol; closes the socket. */
    void run() {
        try {
            serve();
        } catch (PenstockException e) {
            tell(e);
        } catch (ErrnoException e) {
            LOG.info("an engine went away: {}", e.getMessage());
        } catch (IOException e) {
            tell(new PenstockException(ErrorCode.LOADER_DEVICE, e.getMessage(), "", false, e));
        } catch (RuntimeException | OutOfMemoryError e) {
            LOG.error("a session met a fault", e);
            tell(new PenstockException(ErrorCode.INTERNAL, "the loader met " + e, "Report it with the loader's log."));
        } finally {
            end();
        }
    }

    private void serve() throws IOException {
        socket.sendTimeout(PATIENCE_TO_SEND);
        socket.receiveTimeout(GREETING);
        boolean greeted = false;
        while (true) {
            try (Frames.Frame frame = frames.read()) {
                if (frame == null) {
                    return;
                }
                Request request = Protocol.request(frame.body());
                if (!greeted) {
                    greet(request);
                    greeted = true;
                } else {
                    handle(request, frame);
                }
            }
        }
    }

    private void greet(Request request) throws IOException {
        if (!(request instanceof Request.Hello(int version))) {
            throw Protocol.broken("the engine did not greet");
        }
        Map<String, Object> hello = message("hello");
        hello.put("version", Protocol.VERSION);
        hello.put("device", devices.description());
        hello.put("kinds", devices.kinds());
        hello.put("pid", ProcessHandle.current().pid());
        frames.write(hello);
        if (version != Protocol.VERSION) {
            throw Protocol.broken(
                    "the engine speaks version " + version + " of the protocol, this loader " + Protocol.VERSION);
        }
        socket.receiveTimeout(Duration.ZERO);
    }

    private void handle(Request request, Frames.Frame frame) throws IOException {
        switch (request) {
            case Request.Hello _ -> throw Protocol.broken("the engine greeted twice");
            case Request.Open open -> open(open);
            case Request.Slot slot -> add(slot, frame);
            case Request.Drop(int slot) -> slots.drop(slot);
            case Request.Fetch fetch -> fetch(fetch);
            case Request.End _ -> end(message("end"));
        }
    }

    private void open(Request.Open open) throws IOException {
        if (model != null) {
            throw Protocol.broken("the engine opened two models in one session");
        }
        long since = System.nanoTime();
        model = models.open(open.path(), open.files(), open.rank());
        stages.add(Stages.Stage.OPEN, since, 0);
        int sent = 0;
        do {
            List<Model.Tensor> page =
                    model.tensors().subList(sent, Math.min(model.tensors().size(), sent + PAGE));
            sent += sendPage(page, sent);
        } while (sent < model.tensors().size());
    }

    /** Sends as much of a page as a message holds; returns how many tensors that was. */
    private int sendPage(List<Model.Tensor> page, int from) throws IOException {
        List<Object> rows = new ArrayList<>(page.size());
        long length = 0;
        for (Model.Tensor t : page) {
            length += 6L * t.name().length() + 24L * t.shape().size() + 96;
            if (length > Frames.LARGEST / 2 && !rows.isEmpty()) {
                break;
            }
            rows.add(List.of(t.name(), t.dtype(), t.shape(), t.file(), t.offset(), t.length()));
        }
        Map<String, Object> table = message("table");
        table.put("tensors", rows);
        if (from == 0) {
            table.put("notes", model.notes());
            table.put("metadata", fitting(model.metadata()));
        }
        table.put("last", from + rows.size() == model.tensors().size());
        frames.write(table);
        return rows.size();
    }

    /** Metadata may have any length; what does not fit into a message is left out. */
    private static Map<String, String> fitting(Map<String, String> metadata) {
        Map<String, String> fit = new LinkedHashMap<>();
        long length = 0;
        for (Map.Entry<String, String> e : metadata.entrySet()) {
            length += 6L * (e.getKey().length() + e.getValue().length()) + 16;
            if (length > Frames.LARGEST / 4) {
                break;
            }
            fit.put(e.getKey(), e.getValue());
        }
        return fit;
    }

    private void add(Request.Slot slot, Frames.Frame frame) throws IOException {
        Device of = devices.of(slot.memory());
        if (device != null && !of.equals(device)) {
            throw Protocol.broken("the slots of one session are on several devices");
        }
        device = of;
        slots.add(slot.number(), of.open(slot.memory(), frame.fd()));
    }

    private void fetch(Request.Fetch fetch) throws IOException {
        if (model == null) {
            throw Protocol.broken("the engine fetches before it has opened a model");
        }
        unfinished.addAll(fetch.items());
        if (slots.partsUnderWay() + unfinished.size() > MOST_PARTS) {
            throw Protocol.broken("the engine fetches more than " + MOST_PARTS + " tensors at a time");
        }
        if (fetch.more()) {
            return;
        }
        Slots.Slot slot = slots.get(fetch.slot());
        List<Fill.Part> parts = Parts.of(unfinished, model, slot.memory().bytes());
        unfinished.clear();
        if (pipeline == null) {
            pipeline = Pipeline.open(device, model.files(), options, stages);
        }
        slot.begin(parts.size());
        try {
            pipeline.begin(new Fill(slot.memory(), parts, fill -> done(fetch.number(), slot, fill)));
        } catch (IOException | RuntimeException e) {
            slot.end(parts.size()); // else its memory would stay mapped
            throw e;
        }
    }

    /** On a thread of the pipeline. */
    private void done(long number, Slots.Slot slot, Fill fill) {
        slot.end(fill.size());
        if (fill.failure() != null) {
            tell(fill.failure());
            socket.shutdown();
            return;
        }
        Map<String, Object> done = message("done");
        done.put("fetch", number);
        try {
            frames.write(done);
        } catch (IOException e) {
            LOG.debug("the engine went away before a fill was done: {}", e.getMessage());
            socket.shutdown();
        }
    }

    private void end(Map<String, Object> answer) throws IOException {
        if (pipeline != null) {
            pipeline.checkUnchanged();
            answer.put("stagingPeak", pipeline.stagingPeak());
        }
        List<Object> measured = new ArrayList<>();
        for (Stages.Measured m : stages.measured()) {
            Map<String, Object> stage = new LinkedHashMap<>();
            stage.put("stage", m.stage().name().toLowerCase(java.util.Locale.ROOT));
            stage.put("bytes", m.bytes());
            stage.put("begin", m.begin());
            stage.put("end", m.end());
            stage.put("busy", m.busy());
            measured.add(stage);
        }
        answer.put("stages", measured);
        frames.write(answer);
    }

    private static Map<String, Object> message(String type) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("type", type);
        return message;
    }

    private void tell(PenstockException e) {
        LOG.warn("a load failed: {} {}", e.code().code(), e.getMessage());
        Map<String, Object> error = message("error");
        error.put("code", e.code().code());
        error.put("message", String.valueOf(e.getMessage()));
        error.put("remedy", e.remedy());
        try {
            frames.write(error);
        } catch (IOException gone) {
            LOG.debug("the engine went away before it was told: {}", gone.getMessage());
        }
    }

    private void end() {
        socket.shutdown();
        try {
            if (pipeline != null) {
                pipeline.close();
            }
        } catch (IOException | RuntimeException e) {
            LOG.error("a pipeline did not end as it should", e);
        }
        slots.close();
        socket.close();
    }
}
