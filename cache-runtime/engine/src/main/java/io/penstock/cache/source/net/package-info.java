/**
 * The path on which bytes come from an HTTP origin: a small HTTP/1.1 client over keep-alive connections. Over plain HTTP
 * the kernel copies a body straight into the caller's memory; over TLS it is decrypted and copied once. Nothing here
 * knows what S3 is, follows redirects or retries, but for one thing: a kept-alive connection that the origin had closed
 * before it saw the request is replaced once.
 */
package io.penstock.cache.source.net;
