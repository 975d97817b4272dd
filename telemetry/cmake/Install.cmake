# What `cmake --install` puts in place: headers, both libraries, a pkg-config file and a CMake
# package. The shared library exports tel_*, never tel__* (src/telemetry.map).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(telemetry_shared SHARED $<TARGET_OBJECTS:telemetry>)
target_include_directories(telemetry_shared
  PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
         $<BUILD_INTERFACE:${TELEMETRY_MADE_HEADERS}> $<INSTALL_INTERFACE:include>)
target_link_libraries(telemetry_shared
  PRIVATE ${TELEMETRY_PRIVATE_LIBRARIES} m PUBLIC Threads::Threads)
set(export_map ${PROJECT_SOURCE_DIR}/src/telemetry.map)
target_link_options(telemetry_shared PRIVATE LINKER:--version-script=${export_map})
set_target_properties(telemetry_shared PROPERTIES
  OUTPUT_NAME telemetry EXPORT_NAME telemetry LINKER_LANGUAGE C LINK_DEPENDS ${export_map}
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
set_target_properties(telemetry PROPERTIES EXPORT_NAME static)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/telemetry)
file(RELATIVE_PATH PREFIX_FROM_PKGCONFIG
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/telemetry.pc.in telemetry.pc @ONLY)
configure_package_config_file(cmake/telemetryConfig.cmake.in telemetryConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(telemetryConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS telemetry telemetry_shared EXPORT telemetryTargets)
install(EXPORT telemetryTargets NAMESPACE telemetry:: DESTINATION ${package_folder})
install(DIRECTORY include/telemetry ${TELEMETRY_MADE_HEADERS}/telemetry TYPE INCLUDE
  FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/telemetry.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/telemetryConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/telemetryConfigVersion.cmake
  DESTINATION ${package_folder})
