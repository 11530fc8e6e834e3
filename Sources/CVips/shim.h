#ifndef CVIPS_SHIM_H
#define CVIPS_SHIM_H

#include <vips/vips.h>

// Swift imports neither variadic C functions nor function-like macros. Each wrapper below fixes the arguments of one.

// Macro: also compares the header's ABI with the library's.
static inline int cvips_init(void) {
    return VIPS_INIT("choir");
}

// Variadic.
static inline int cvips_ppmload_source(VipsSource *source, VipsImage **out) {
    return vips_ppmload_source(source, out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
}

// Variadic. No option string is parsed, unlike vips_image_new_from_file, so any file name is safe.
static inline VipsImage *cvips_image_new_from_source(VipsSource *source) {
    return vips_image_new_from_source(
        source, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
}

// Variadic.
static inline int cvips_copy(VipsImage *in, VipsImage **out) {
    return vips_copy(in, out, NULL);
}

// Variadic.
static inline int cvips_colourspace(VipsImage *in, VipsImage **out, VipsInterpretation space) {
    return vips_colourspace(in, out, space, NULL);
}

// Variadic.
static inline int cvips_flatten(VipsImage *in, VipsImage **out) {
    return vips_flatten(in, out, NULL);
}

// Variadic.
static inline int cvips_cast(VipsImage *in, VipsImage **out, VipsBandFormat format) {
    return vips_cast(in, out, format, NULL);
}

// Variadic.
static inline int cvips_pngsave_target(
    VipsImage *in, VipsTarget *target, int compression, VipsForeignPngFilter filter
) {
    return vips_pngsave_target(in, target, "compression", compression, "filter", filter, NULL);
}

// Variadic.
static inline int cvips_tiffsave(VipsImage *in, const char *path, int tile_side, gboolean bigtiff) {
    return vips_tiffsave(
        in, path, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, "predictor",
        VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, "tile", TRUE, "tile_width", tile_side, "tile_height", tile_side,
        "pyramid", TRUE, "bigtiff", bigtiff, NULL);
}

// Variadic.
static inline int cvips_jpegsave(VipsImage *in, const char *path, int quality) {
    return vips_jpegsave(in, path, "Q", quality, NULL);
}

// Variadic.
static inline int cvips_webpsave(VipsImage *in, const char *path, int quality, gboolean lossless) {
    return vips_webpsave(in, path, "Q", quality, "lossless", lossless, NULL);
}

// Variadic.
static inline int cvips_dzsave(VipsImage *in, const char *path, const char *suffix) {
    return vips_dzsave(in, path, "suffix", suffix, NULL);
}

// Macros. Whether an object is a target that was not opened by name.
static inline gboolean cvips_is_unnamed_target(void *object) {
    return VIPS_IS_TARGET(object) && vips_connection_filename(VIPS_CONNECTION(object)) == NULL;
}

// Macro.
static inline const unsigned char *cvips_region_address(VipsRegion *region, int x, int y) {
    return VIPS_REGION_ADDR(region, x, y);
}

#endif
