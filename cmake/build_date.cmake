# FIELDGATE_BUILT_AT: seconds since 1970. No clock that shows an earlier time is right (daemon/build_date.h).
# The same tree gives the same binary, whenever and wherever it is built: SOURCE_DATE_EPOCH, as packagers
# set it (reproducible-builds.org), else the time of the last commit, else that of the newest file. Looked
# at when CMake runs, which scripts/lib.sh makes it do before every build.
function(fieldgate_find_built_at result)
    if("$ENV{SOURCE_DATE_EPOCH}" MATCHES "^[0-9]+$")
        set(${result} $ENV{SOURCE_DATE_EPOCH} PARENT_SCOPE)
        return()
    endif()
    # Not of a tree around this one, in which an unpacked archive may lie.
    find_program(FIELDGATE_GIT git)
    mark_as_advanced(FIELDGATE_GIT)
    if(FIELDGATE_GIT AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
        execute_process(COMMAND ${FIELDGATE_GIT} -C ${PROJECT_SOURCE_DIR} log -1 --format=%ct
            OUTPUT_VARIABLE committed OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
        if(committed MATCHES "^[0-9]+$")
            set(${result} ${committed} PARENT_SCOPE)
            return()
        endif()
    endif()
    set(newest 0)
    file(GLOB_RECURSE files ${PROJECT_SOURCE_DIR}/daemon/*.cpp ${PROJECT_SOURCE_DIR}/base/*.cpp
        ${PROJECT_SOURCE_DIR}/model/*.cpp ${PROJECT_SOURCE_DIR}/storage/*.cpp
        ${PROJECT_SOURCE_DIR}/northbound/*.cpp ${PROJECT_SOURCE_DIR}/southbound/*.cpp)
    foreach(file IN LISTS files)
        file(TIMESTAMP ${file} changed "%s" UTC)
        if(changed GREATER newest)
            set(newest ${changed})
        endif()
    endforeach()
    set(${result} ${newest} PARENT_SCOPE)
endfunction()

fieldgate_find_built_at(FIELDGATE_BUILT_AT)
if(CMAKE_SCRIPT_MODE_FILE)  # tests/build_date.sh asks
    message(STATUS ${FIELDGATE_BUILT_AT})
endif()
