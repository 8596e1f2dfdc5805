/** Plans of what ranks need, for models that lie in directories. */
package io.penstock.gpu.plan;
