/** An S3 server whose objects are computed when they are read: models of any size on a machine without room for them. */
package io.penstock.bench.generated;
