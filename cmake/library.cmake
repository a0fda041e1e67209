# libadept, static and shared, made of all rooms, with its pkg-config file and CMake package.
get_property(rooms GLOBAL PROPERTY ADEPT_ROOMS)
foreach(room IN LISTS rooms)
    list(APPEND objects $<TARGET_OBJECTS:room_${room}>)
endforeach()
set(third_party PkgConfig::PROTOBUF_C PkgConfig::CJSON PkgConfig::NLOPT CSV::csv Threads::Threads m ${CMAKE_DL_LIBS})

add_library(adept_static STATIC ${objects})
add_library(adept_shared SHARED ${objects})
foreach(target adept_static adept_shared)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME adept LINKER_LANGUAGE C)
    target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} PRIVATE ${third_party})
endforeach()
set_target_properties(adept_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
set_target_properties(adept_static PROPERTIES EXPORT_NAME static)
set_target_properties(adept_shared PROPERTIES EXPORT_NAME shared)

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/adept)
install(TARGETS adept_static adept_shared EXPORT adeptTargets)
install(EXPORT adeptTargets NAMESPACE adept:: DESTINATION ${package_dir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/adept DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/data/hardware DESTINATION ${CMAKE_INSTALL_DATADIR}/adept FILES_MATCHING PATTERN "*.json")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/data/clusters DESTINATION ${CMAKE_INSTALL_DATADIR}/adept FILES_MATCHING PATTERN "*.json")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/data/economics DESTINATION ${CMAKE_INSTALL_DATADIR}/adept FILES_MATCHING PATTERN "*.csv")
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/adeptConfig.cmake.in ${PROJECT_BINARY_DIR}/adeptConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/adeptConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/adeptConfig.cmake ${PROJECT_BINARY_DIR}/adeptConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/FindCSV.cmake DESTINATION ${package_dir})
configure_file(${CMAKE_CURRENT_LIST_DIR}/adept.pc.in ${PROJECT_BINARY_DIR}/adept.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/adept.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
