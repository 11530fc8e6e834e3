// OpenVINO's C API as Swift sees it. Every variadic function that Choir would need has a `_props` or `_properties`
// twin that takes an array, so that no shim function is needed.
#pragma once

#include <openvino/c/openvino.h>
