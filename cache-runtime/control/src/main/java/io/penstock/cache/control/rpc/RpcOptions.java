package io.penstock.cache.control.rpc;

/**
 * What one server takes.
 *
 * @param thread the name of its thread
 * @param largestRequest in bytes
 * @param callsEach most calls at a time on one connection
 * @param connections most at a time; further ones are closed at once; 0: any number
 */
public record RpcOptions(String thread, int largestRequest, int callsEach, int connections) {}
