package io.penstock.cache.source.net;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** An HTTP proxy that wants credentials. Notes the first request of each connection. */
final class TestProxy implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final String authorization;
    private final List<String> seen = new CopyOnWriteArrayList<>();

    private TestProxy(String credentials) throws IOException {
        authorization = "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(UTF_8));
        Thread.ofPlatform().daemon().start(this::accept);
    }

    static TestProxy start(String credentials) throws IOException {
        return new TestProxy(credentials);
    }

    int port() {
        return server.getLocalPort();
    }

    List<String> seen() {
        return seen;
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                Thread.ofPlatform().daemon().start(() -> serve(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            String head = head(client.getInputStream());
            if (!head.contains("\r\nProxy-Authorization: " + authorization + "\r\n")) {
                client.getOutputStream().write("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n".getBytes(ISO_8859_1));
                return;
            }
            String request = head.substring(0, head.indexOf(" HTTP/1.1"));
            seen.add(request);
            boolean tunnel = request.startsWith("CONNECT ");
            URI to = URI.create(tunnel ? "x://" + request.substring(8) : request.substring(4));
            try (Socket origin = new Socket(to.getHost(), to.getPort())) {
                if (tunnel) {
                    client.getOutputStream().write("HTTP/1.1 200 Go on\r\n\r\n".getBytes(ISO_8859_1));
                } else {
                    origin.getOutputStream()
                            .write(head.replace("http://" + to.getAuthority(), "")
                                    .getBytes(ISO_8859_1));
                }
                Thread up = Thread.ofPlatform().daemon().start(() -> copy(client, origin, to));
                copy(origin, client, null);
                up.interrupt();
            }
        } catch (IOException e) {
            seen.add("failed: " + e);
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int c = in.read();
            if (c < 0) {
                throw new IOException("it ended in the head");
            }
            head.append((char) c);
        }
        return head.toString();
    }

    /** Absolute targets of later requests on a plain connection are made relative too. */
    private static void copy(Socket from, Socket to, URI absolute) {
        byte[] buffer = new byte[65536];
        try {
            OutputStream out = to.getOutputStream();
            for (int n = from.getInputStream().read(buffer);
                    n >= 0;
                    n = from.getInputStream().read(buffer)) {
                String text = new String(buffer, 0, n, ISO_8859_1);
                if (absolute != null && text.startsWith("GET http://")) {
                    text = text.replace("http://" + absolute.getAuthority(), "");
                }
                out.write(text.getBytes(ISO_8859_1));
            }
            to.close();
        } catch (IOException e) {
            // One side has closed: the other follows.
            closeQuietly(to);
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
