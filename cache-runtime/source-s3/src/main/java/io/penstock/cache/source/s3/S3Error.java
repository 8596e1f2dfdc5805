package io.penstock.cache.source.s3;

import io.penstock.cache.source.net.ResponseHead;
import io.penstock.cache.source.s3.XmlScanner.MalformedXml;
import io.penstock.cache.source.s3.XmlScanner.Token;
import java.nio.charset.StandardCharsets;

/**
 * What an S3 server says about a refusal. Both are short and of letters, digits, dots and dashes, or empty: they are
 * fit for a message.
 */
record S3Error(String code, String region) {
    private static final int LONGEST = 64;

    static S3Error of(ResponseHead head, byte[] body) {
        String region = head.header("x-amz-bucket-region");
        String code = "";
        XmlScanner scanner = new XmlScanner(new String(body, StandardCharsets.UTF_8));
        try {
            for (Token t = scanner.next(); t != Token.FINISHED; t = scanner.next()) {
                if (t == Token.END && scanner.name().equals("Code") && code.isEmpty()) {
                    code = scanner.value();
                } else if (t == Token.END && scanner.name().equals("Region") && region == null) {
                    region = scanner.value();
                }
            }
        } catch (MalformedXml e) {
            // Proxies answer with pages of their own: the status alone has to do.
            return new S3Error(fit(code), fit(region));
        }
        return new S3Error(fit(code), fit(region));
    }

    private static String fit(String text) {
        boolean plain = text != null && text.length() <= LONGEST && text.matches("[A-Za-z0-9.-]*");
        return plain ? text : "";
    }
}
