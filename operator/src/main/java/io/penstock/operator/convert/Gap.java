package io.penstock.operator.convert;

/**
 * What has no equal, or an equal that a person should look at.
 *
 * @param object kind and name
 * @param field path in the object
 * @param remark why, and what to do instead
 */
public record Gap(String object, String field, String remark) {
    @Override
    public String toString() {
        return object + " " + field + ": " + remark;
    }
}
