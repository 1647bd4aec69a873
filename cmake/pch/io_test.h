// Precompiled for tests: io.h and GoogleTest.
#pragma once

#include "io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
