/** The node plugin in a real cluster: whichever KUBECONFIG names. */
package io.penstock.deploy.e2e;
