# Embeds api/openapi.yaml, as JSON, as <room>/document_embedded.cpp.
find_program(BERTH_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)  # Debian's, which has python3-yaml

function(berth_document room)
  set(script "${PROJECT_SOURCE_DIR}/cmake/embed_openapi.py")
  set(document "${PROJECT_SOURCE_DIR}/api/openapi.yaml")
  set(output "${CMAKE_BINARY_DIR}/generated/${room}/document_embedded.cpp")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${BERTH_PYTHON}" "${script}" "${document}" "${output}"
    DEPENDS "${document}" "${script}"
    COMMENT "Embedding api/openapi.yaml"
    VERBATIM)
  target_sources(berth_${room} PRIVATE "${output}")
endfunction()
