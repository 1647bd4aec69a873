# Compiler, warnings, hardening, sanitizers, cache and linker: everything that is the same for each target.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR NOT CMAKE_CXX_COMPILER_VERSION MATCHES "^19\\.")
  message(FATAL_ERROR
    "Berth is built with clang++ 19 only (found ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}). "
    "g++ 12 miscompiles common co_await expressions (double free of lambda captures and of brace-built aggregates) "
    "and does not warn about a dropped co_await. Use `./dev build`, or -DCMAKE_CXX_COMPILER=clang++-19.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_OPTIMIZE_DEPENDENCIES ON)  # a room's objects need not wait for the rooms it links
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

# -- optimisation and debug information
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")  # -g1: line tables, enough for a backtrace, links fast
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g -gsplit-dwarf")
if(BERTH_SANITIZE OR BERTH_COVERAGE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
endif()

# -- no path of the building machine in objects: reproducible, and ccache can serve one clone from another
# (which hands the compiler paths relative to the build folder, hence the second map).
add_compile_options("-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=" -fmacro-prefix-map=../../= "SHELL:-Xclang -fno-pch-timestamp")

# -- warnings; each silenced one has its reason here. In CI any warning fails the build: tools/build.sh reads its output,
# because -Werror would be a different command line and share no cached object with a developer's build.
add_compile_options(
  -Wall -Wextra -Wshadow -Wold-style-cast -Wnon-virtual-dtor
  -Werror=switch -Werror=return-type -Werror=unused-result
  # Option structs name only the fields that differ from their defaults; that is what they are for.
  -Wno-missing-designated-field-initializers)

# -- hardening
add_compile_definitions(_GLIBCXX_ASSERTIONS)
# -fPIE by hand rather than CMAKE_POSITION_INDEPENDENT_CODE: libraries would get -fPIC, executables -fPIE, and clang
# refuses a precompiled header made with the other. Every library here ends up in an executable.
add_compile_options(-fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection)
add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT BERTH_SANITIZE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# -- sanitizers and coverage
if(BERTH_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all -fno-sanitize=vptr)
elseif(BERTH_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread)
elseif(BERTH_SANITIZE STREQUAL "fuzz")
  set(sanitize -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-sanitize=vptr)
elseif(BERTH_SANITIZE)
  message(FATAL_ERROR "BERTH_SANITIZE=${BERTH_SANITIZE}: expected address, thread or fuzz")
endif()
if(BERTH_SANITIZE)
  add_compile_options(${sanitize})
  add_link_options(${sanitize})
endif()
if(BERTH_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

# -- Asio and Beast: compiled once, in src/io/asio_src.cpp and src/http/beast_src.cpp.
# Global, because a precompiled header is only reusable between targets that agree on every macro.
# The cache is of coroutine frames, per thread: a request is deeper than the two that Asio keeps by itself. Frames beyond
# a kilobyte are not cached; without the two switches they come from aligned_alloc, which takes malloc's slow way.
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                        BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8
                        BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC BOOST_ASIO_DISABLE_BOOST_ALIGN)

# -- ccache and mold, when they are there
find_program(BERTH_CCACHE ccache)
if(BERTH_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PROJECT_SOURCE_DIR}/cmake/ccache")
endif()
find_program(BERTH_MOLD mold)
if(BERTH_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
