# Embeds src/<room>/migrations/*.sql, in the order of their names, as <room>/migrations_embedded.cpp.
function(berth_migrations room)
  file(GLOB sql CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${room}/migrations/*.sql")
  get_target_property(type berth_${room} TYPE)
  if(NOT sql OR NOT EXISTS "${PROJECT_SOURCE_DIR}/src/${room}/migrations.h" OR type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  set(script "${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake")
  set(output "${CMAKE_BINARY_DIR}/generated/${room}/migrations_embedded.cpp")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DROOM=${room}" "-DOUTPUT=${output}" "-DSQL=${sql}" -P "${script}"
    DEPENDS ${sql} "${script}"
    COMMENT "Embedding src/${room}/migrations"
    VERBATIM)
  target_sources(berth_${room} PRIVATE "${output}")
endfunction()
