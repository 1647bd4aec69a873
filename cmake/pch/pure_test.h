// Precompiled for tests: pure.h and GoogleTest.
#pragma once

#include "pure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
