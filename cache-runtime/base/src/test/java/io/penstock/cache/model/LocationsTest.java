package io.penstock.cache.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocationsTest {
    @ParameterizedTest
    @CsvSource(textBlock = """
            s3://bucket/model,                               s3://bucket/model
            /srv/a@b/model,                                  /srv/a@b/model
            https://user:secret@host/dir/,                   https://host/dir/
            https://user:p@ss@host:8443/a@b,                 https://host:8443/a@b
            https://host/file?X-Amz-Signature=secret,        https://host/file
            https://user:secret@host,                        https://host
            s3://bucket/what?,                               s3://bucket/what?
            """)
    void showNoSecret(String location, String plain) {
        assertThat(Locations.plain(location)).isEqualTo(plain);
    }
}
