/** gRPC servers: at a Unix socket, or at an address with TLS on both sides. */
package io.penstock.cache.control.rpc;
