package io.penstock.operator.watch;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.processing.event.Event;
import io.javaoperatorsdk.operator.processing.event.EventHandler;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import java.util.Set;

/** Has objects reconciled because something else has changed. Thread-safe; does nothing while nobody reconciles. */
public final class Trigger<P extends HasMetadata> extends AbstractEventSource<Object, P> {
    public Trigger(String name) {
        super(Object.class, name);
    }

    /**
     * Has this object looked at.
     *
     * @param namespace null for what has none
     */
    public void fire(String name, String namespace) {
        EventHandler handler = getEventHandler();
        if (handler != null && isRunning()) {
            handler.handleEvent(new Event(new ResourceID(name, namespace)));
        }
    }

    public void fire(HasMetadata object) {
        fire(object.getMetadata().getName(), object.getMetadata().getNamespace());
    }

    @Override
    public Set<Object> getSecondaryResources(P primary) {
        return Set.of();
    }
}
