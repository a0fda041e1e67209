# A room is one folder and one object library. Its include path holds the public
# headers, its own folder and the folders of the rooms named after USES, nothing
# else: an #include of any other room does not compile (tests/rooms proves it).
#
#   adept_room(shapes DIR src/shapes SOURCES infer.c symbols.c USES base graph)
define_property(GLOBAL PROPERTY ADEPT_ROOMS BRIEF_DOCS "rooms" FULL_DOCS "all rooms, in build order")

function(adept_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LIBRARIES;INCLUDES" ${ARGN})
    set(target room_${name})
    add_library(${target} OBJECT ${ROOM_SOURCES})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON ROOM_DIR ${CMAKE_CURRENT_SOURCE_DIR})
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR} ${ROOM_INCLUDES})
    foreach(used IN LISTS ROOM_USES)
        if(NOT TARGET room_${used})
            message(FATAL_ERROR "room ${name} uses room ${used}, which is not above it")
        endif()
        get_target_property(dir room_${used} ROOM_DIR)
        target_include_directories(${target} PRIVATE ${dir})
    endforeach()
    target_link_libraries(${target} PRIVATE adept_warnings ${ROOM_LIBRARIES})
    set_target_properties(${target} PROPERTIES ROOM_USES "${ROOM_USES}" ROOM_LIBRARIES "${ROOM_LIBRARIES}")
    set_property(GLOBAL APPEND PROPERTY ADEPT_ROOMS ${name})
endfunction()

# A cmocka test program that may look into the named rooms.
#
#   adept_test(test_arena SOURCES test_arena.c ROOMS base)
function(adept_test name)
    cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;ROOMS;ARGS;LIBRARIES" ${ARGN})
    add_executable(${name} ${TEST_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support ${CMAKE_CURRENT_SOURCE_DIR})
    foreach(used IN LISTS TEST_ROOMS)
        get_target_property(dir room_${used} ROOM_DIR)
        target_include_directories(${name} PRIVATE ${dir})
    endforeach()
    target_link_libraries(${name} PRIVATE adept_static adept_test_support adept_warnings PkgConfig::CMOCKA ${TEST_LIBRARIES})
    target_compile_definitions(${name} PRIVATE ADEPT_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ADEPT_BINARY_DIR="${PROJECT_BINARY_DIR}")
    add_test(NAME ${name} COMMAND ${name} ${TEST_ARGS})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 300)
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()
