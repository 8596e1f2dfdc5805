package io.penstock.cli.doctor;

/** Looks at one thing. Changes nothing. */
interface Check {
    Finding look() throws Exception;
}
