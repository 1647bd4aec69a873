# src/<room>/version.cpp, and no other file, is compiled with BERTH_VERSION and BERTH_COMMIT: a new commit recompiles
# that one file. The commit is read when CMake configures, which a new entry in the branch's log triggers.
function(berth_version room)
  set(file "${PROJECT_SOURCE_DIR}/src/${room}/version.cpp")
  if(NOT EXISTS "${file}")
    return()
  endif()
  set(commit "unknown")
  find_package(Git QUIET)
  if(GIT_FOUND)
    execute_process(COMMAND "${GIT_EXECUTABLE}" rev-parse --short=12 HEAD WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
                    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed)
      set(commit "${head}")
    endif()
    execute_process(COMMAND "${GIT_EXECUTABLE}" rev-parse --git-path logs/HEAD WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
                    OUTPUT_VARIABLE log OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    cmake_path(ABSOLUTE_PATH log BASE_DIRECTORY "${PROJECT_SOURCE_DIR}")
    if(log AND EXISTS "${log}" AND NOT IS_DIRECTORY "${log}")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${log}")
    endif()
  endif()
  set_source_files_properties("${file}" PROPERTIES
    COMPILE_DEFINITIONS "BERTH_VERSION=\"${PROJECT_VERSION}\";BERTH_COMMIT=\"${commit}\""
    SKIP_PRECOMPILE_HEADERS ON)
endfunction()
