package io.penstock.cache.source.s3;

import io.penstock.cache.source.Etags;
import io.penstock.cache.source.Percent;
import io.penstock.cache.source.s3.XmlScanner.MalformedXml;
import io.penstock.cache.source.s3.XmlScanner.Token;
import java.util.ArrayList;
import java.util.List;

/**
 * One answer to ListObjectsV2.
 *
 * @param next the token for the page after this one, or null when it is the last
 */
record ListPage(List<Item> items, String next) {

    /** An object of a listing; {@code etag} without quotes. */
    record Item(String key, long size, String etag) {}

    static ListPage parse(String xml) throws MalformedXml {
        XmlScanner scanner = new XmlScanner(xml);
        List<Item> items = new ArrayList<>();
        String key = null;
        String size = null;
        String etag = null;
        String token = null;
        boolean truncated = false;
        boolean encoded = false;
        boolean inside = false;
        boolean complete = false;
        for (Token t = scanner.next(); t != Token.FINISHED; t = scanner.next()) {
            if (t == Token.START) {
                if (scanner.name().equals("Contents")) {
                    inside = true;
                    key = null;
                    size = null;
                    etag = null;
                }
                continue;
            }
            switch (scanner.name()) {
                case "Key" -> key = scanner.value();
                case "Size" -> size = scanner.value().strip();
                case "ETag" -> etag = scanner.value();
                case "IsTruncated" -> truncated = scanner.value().strip().equals("true");
                case "NextContinuationToken" -> token = scanner.value();
                case "EncodingType" -> encoded = scanner.value().strip().equalsIgnoreCase("url");
                case "Contents" -> {
                    if (!inside || key == null || etag == null || size == null || !size.matches("\\d{1,18}")) {
                        throw new MalformedXml("an object has no key, size or ETag");
                    }
                    inside = false;
                    items.add(new Item(key, Long.parseLong(size), Etags.version(etag)));
                }
                case "ListBucketResult" -> complete = true;
                default -> {}
            }
        }
        if (!complete || (truncated && token == null)) {
            throw new MalformedXml("it is no complete listing");
        }
        return new ListPage(encoded ? decoded(items) : items, truncated ? token : null);
    }

    /** The origin says only somewhere in the page that its keys are encoded. */
    private static List<Item> decoded(List<Item> items) {
        return items.stream()
                .map(i -> new Item(Percent.decode(i.key(), true), i.size(), i.etag()))
                .toList();
    }
}
