/** The loader as a service: engines connect, offer memory, and have it filled. The protocol is in docs/LOADER.md. */
package io.penstock.gpu.service;
