package io.penstock.operator.watch;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Objects of one kind, in memory and kept up to date. What it gives must not be changed. Thread-safe. */
public final class Watched<T extends HasMetadata> {
    private static final long PAGE = 500;

    private final List<SharedIndexInformer<T>> informers = new ArrayList<>();
    private final List<Consumer<T>> listeners = new CopyOnWriteArrayList<>();

    /**
     * @param queries one for each namespace
     * @param slim takes away what nobody looks at
     */
    Watched(
            Collection<? extends Informable<T>> queries,
            UnaryOperator<T> slim,
            Map<String, Function<T, List<String>>> indexes) {
        for (Informable<T> query : queries) {
            SharedIndexInformer<T> informer = query.withLimit(PAGE).runnableInformer(0);
            informer.itemStore(new SlimStore<>(slim));
            informer.addIndexers(indexes);
            informer.addEventHandler(new ResourceEventHandler<>() {
                @Override
                public void onAdd(T object) {
                    tell(object);
                }

                @Override
                public void onUpdate(T before, T object) {
                    if (!Objects.equals(
                            before.getMetadata().getResourceVersion(),
                            object.getMetadata().getResourceVersion())) {
                        tell(object);
                    }
                }

                @Override
                public void onDelete(T object, boolean unknown) {
                    tell(object);
                }
            });
            informers.add(informer);
        }
    }

    private void tell(T object) {
        listeners.forEach(l -> l.accept(object));
    }

    /** Is told of each object that is new, changed or gone; must not block. */
    public void onChange(Consumer<T> listener) {
        listeners.add(listener);
    }

    public Optional<T> get(String namespace, String name) {
        String key = Cache.namespaceKeyFunc(namespace, name);
        return informers.stream()
                .map(i -> i.getIndexer().getByKey(key))
                .filter(Objects::nonNull)
                .findFirst();
    }

    public Stream<T> all() {
        return informers.stream().flatMap(i -> i.getStore().list().stream());
    }

    Stream<T> by(String index, String value) {
        return informers.stream().flatMap(i -> i.getIndexer().byIndex(index, value).stream());
    }

    void start() {
        informers.forEach(SharedIndexInformer::run);
    }

    boolean synced() {
        return informers.stream().allMatch(SharedIndexInformer::hasSynced);
    }

    boolean watching() {
        return informers.stream().allMatch(SharedIndexInformer::isWatching);
    }

    void stop() {
        informers.forEach(SharedIndexInformer::stop);
    }
}
