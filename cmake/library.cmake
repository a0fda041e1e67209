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
