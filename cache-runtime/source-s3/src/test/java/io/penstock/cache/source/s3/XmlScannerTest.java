package io.penstock.cache.source.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.source.s3.XmlScanner.MalformedXml;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class XmlScannerTest {
    private static final String PAGE = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- <Contents> --><s:ListBucketResult xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/">
              <Name>b</Name><Prefix/><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
              <NextContinuationToken>1+%2F&amp;&lt;&#x41;&#66;</NextContinuationToken>
              <Contents><Key>a+b%2B%E6%97%A5&amp;</Key><LastModified>2026</LastModified>
                <ETag>&quot;abc-2&quot;</ETag><Size> 12 </Size><Owner><ID>x</ID></Owner></Contents>
              <Contents><Size>0</Size><Key>plain</Key><ETag>unquoted</ETag></Contents>
              <CommonPrefixes><Prefix>z/</Prefix></CommonPrefixes>
            </s:ListBucketResult>
            """;

    @Test
    void listings() throws Exception {
        ListPage page = ListPage.parse(PAGE);
        assertThat(page.next()).isEqualTo("1+%2F&<AB");
        assertThat(page.items())
                .isEqualTo(
                        List.of(new ListPage.Item("a b+日&", 12, "abc-2"), new ListPage.Item("plain", 0, "unquoted")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "no xml",
                "<html><body>Sign in</body></html>",
                "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>",
                "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size><ETag>x</ETag></Contents></ListBucketResult>",
                "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
                "<ListBucketResult><Contents><Key>a</Key>",
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><ListBucketResult></ListBucketResult>",
                "<ListBucketResult><Key>&e;</Key></ListBucketResult>",
                "<ListBucketResult><Key>&#x110000;</Key></ListBucketResult>",
                "<ListBucketResult><Key><![CDATA[x]]></Key></ListBucketResult>",
            })
    void whatIsNoListingIsRefused(String xml) {
        assertThatThrownBy(() -> ListPage.parse(xml)).isInstanceOf(MalformedXml.class);
    }
}
