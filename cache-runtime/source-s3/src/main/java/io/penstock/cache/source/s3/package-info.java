/**
 * Buckets that speak S3 as a source. The AWS SDK finds credentials; requests are signed and listings read here, as the
 * SDK's own client would cost most of a second at start.
 */
package io.penstock.cache.source.s3;
