# Every target links fieldgate::options: the language, the warnings, the sanitizers and the include root.
add_library(fieldgate_options INTERFACE)
add_library(fieldgate::options ALIAS fieldgate_options)
target_compile_features(fieldgate_options INTERFACE cxx_std_20)
target_include_directories(fieldgate_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(fieldgate_options INTERFACE
    ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_SEPARATE_COMPILATION
    # Asio 1.22 chooses its allocator by the order of includes: one choice for all files, please.
    ASIO_DISABLE_STD_ALIGNED_ALLOC
    FIELDGATE_VERSION="${PROJECT_VERSION}")
target_compile_options(fieldgate_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
    -Woverloaded-virtual -Wold-style-cast -Wcast-align -Wformat=2 -Wimplicit-fallthrough
    $<$<BOOL:${FIELDGATE_WERROR}>:-Werror>)
target_link_libraries(fieldgate_options INTERFACE Threads::Threads)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms of g++ 12 in std::variant and std::string once it optimises (GCC bugs 105562, 105651);
    # the sanitizer builds look for the real ones. And where it takes one of Asio's operators new into a
    # coroutine, but not the delete that belongs to it.
    target_compile_options(fieldgate_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict
        $<$<CONFIG:Release,RelWithDebInfo>:-Wno-mismatched-new-delete>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Asio 1.22 does not find coroutines in clang by itself.
    target_compile_definitions(fieldgate_options INTERFACE ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
endif()
# In a unity file a local name like one in an anonymous namespace of a neighbour shadows nothing in the tree as
# it is written (dev compiles the product file by file and finds the real ones), and a coroutine with a local
# class of its file looks as if a header had an anonymous namespace (g++).
set(is_unity "$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>")
target_compile_options(fieldgate_options INTERFACE $<${is_unity}:-Wno-shadow>
    $<$<AND:${is_unity},$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>)
if(FIELDGATE_SANITIZE)
    target_compile_options(fieldgate_options INTERFACE
        -fsanitize=${FIELDGATE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(fieldgate_options INTERFACE -fsanitize=${FIELDGATE_SANITIZE})
    if(FIELDGATE_SANITIZE STREQUAL thread)
        # Fences inside Asio's headers; and the false alarm of above, which -O1 is enough for.
        target_compile_options(fieldgate_options INTERFACE -Wno-tsan -Wno-mismatched-new-delete)
    endif()
endif()
if(FIELDGATE_FUZZ)
    # The whole tree is instrumented; only the fuzz targets link libFuzzer's main().
    target_compile_options(fieldgate_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined
        -fno-sanitize-recover=all)
    target_link_options(fieldgate_options INTERFACE -fsanitize=address,undefined)
endif()

# fieldgate_add_library(NAME FILES...): a static library of one room, fieldgate::NAME.
function(fieldgate_add_library name)
    add_library(fieldgate_${name} STATIC ${ARGN})
    add_library(fieldgate::${name} ALIAS fieldgate_${name})
    if(FIELDGATE_PCH)
        if(name STREQUAL base)
            target_precompile_headers(fieldgate_base PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)
        else()
            target_precompile_headers(fieldgate_${name} REUSE_FROM fieldgate_base)
        endif()
    endif()
endfunction()
