package io.penstock.cache.source.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class IndexPageTest {
    @Test
    void nginx() {
        String page = """
                <html><head><title>Index of /m/</title></head><body><h1>Index of /m/</h1><hr><pre><a href="../">../</a>
                <a href="sub%20dir/">sub dir/</a>           22-Nov-2026 10:00      -
                <a href="a+b%2520.bin">a+b%20.bin</a>       22-Nov-2026 10:00    123
                </pre><hr></body></html>
                """;
        assertThat(IndexPage.children("/m/", page, true)).containsExactly("/m/sub dir/", "/m/a+b%20.bin");
    }

    @Test
    void apache() {
        String page = """
                <table><tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
                <tr><td><a href="/">Parent Directory</a></td></tr>
                <tr><td><A HREF='x&amp;y.txt'>x&amp;y.txt</A></td></tr>
                <tr><td><a class="f" href="/m/abs.bin">abs.bin</a></td></tr></table>
                """;
        assertThat(IndexPage.children("/m/", page, true)).containsExactly("/m/x&y.txt", "/m/abs.bin");
    }

    @Test
    void python() {
        String page = """
                <!DOCTYPE HTML><ul>
                <li><a href="%C3%A4%20%27q%27.json">ä 'q'.json</a></li>
                <li><a href="link/">link@</a></li>
                </ul>
                """;
        assertThat(IndexPage.children("/m/", page, true)).containsExactly("/m/ä 'q'.json", "/m/link/");
    }

    @Test
    void leadsNowhereElse() {
        String page = """
                <a href="../../etc/passwd">x</a><a href="http://evil/m/y">x</a><a href="//evil/m/y">x</a>
                <a href="sub/../../x">x</a><a href="javascript:alert(1)">x</a><a href="deep/er/x">x</a><a href="./">x</a>
                <a href="%2e%2e/secret">x</a><a href="good">x</a>
                """;
        assertThat(IndexPage.children("/m/", page, true)).containsExactly("/m/good");
    }

    @Test
    void plainText() {
        assertThat(IndexPage.children("/m/", "config.json\n\nshards/a%20b.bin\n../x\n", false))
                .containsExactly("/m/config.json", "/m/shards/a b.bin");
    }
}
