package io.penstock.operator.certificates;

import io.penstock.operator.certificates.Certificates.Material;
import java.security.GeneralSecurityException;

/** Where the operator's certificates come from. Thread-safe. */
@FunctionalInterface
public interface CertificateSource {
    /**
     * What the operator shows and believes now; equal to what was given before while nothing has changed.
     *
     * @throws GeneralSecurityException they are not there yet, or cannot be read
     */
    Material ensure() throws GeneralSecurityException;
}
