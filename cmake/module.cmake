# module(NAME drivers/http SOURCES a.cc b.cc TESTS a_test.cc FUZZ a_fuzz.cc DEPS base async TEST_DEPS doubles
#        LIBS fmt::fmt PRIVATE_LIBS x PCH asio)
#
# Declares a room: the folder src/NAME as one static library grapnel_<name with _>. DEPS are rooms that
# must exist already, so rooms are added bottom-up and a cycle fails to configure. Headers are reached
# only through the target's own include root ("drivers/http/x.h"), so an undeclared include fails to
# compile. LIBS are libraries that the room's headers show, PRIVATE_LIBS those that only its sources use.
# TESTS become one GoogleTest binary <name>_test, each test registered with ctest; TEST_DEPS are rooms and
# doubles that only they use. Each FUZZ source becomes a libFuzzer target <name>_<file>, which ctest runs
# for a moment over tests/corpus/<name>_<file>/; tools/fuzz.py runs it for longer.
# PCH asio: compile with the shared precompiled header of Asio's coroutine headers.
function(module)
  cmake_parse_arguments(M "" "NAME;PCH" "SOURCES;TESTS;FUZZ;DEPS;TEST_DEPS;LIBS;PRIVATE_LIBS" ${ARGN})
  if(M_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "module ${M_NAME}: unknown arguments ${M_UNPARSED_ARGUMENTS}")
  endif()
  string(REPLACE "/" "_" name ${M_NAME})
  foreach(dep IN LISTS M_DEPS)
    string(REPLACE "/" "_" dep_name ${dep})
    if(NOT TARGET grapnel_${dep_name})
      message(FATAL_ERROR "module ${M_NAME}: '${dep}' is not a lower room")
    endif()
  endforeach()
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  get_filename_component(parent ${M_NAME} DIRECTORY)
  file(MAKE_DIRECTORY ${root}/${parent})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${M_NAME} SYMBOLIC)

  list(TRANSFORM M_DEPS REPLACE "/" "_")
  list(TRANSFORM M_DEPS PREPEND grapnel_)
  add_library(grapnel_${name} STATIC ${M_SOURCES})
  target_include_directories(grapnel_${name} PUBLIC ${root})
  target_link_libraries(grapnel_${name} PUBLIC ${M_DEPS} ${M_LIBS} PRIVATE ${M_PRIVATE_LIBS} grapnel_warnings)
  if(M_PCH)
    target_precompile_headers(grapnel_${name} REUSE_FROM grapnel_pch_${M_PCH})
  endif()

  if(M_TESTS AND GRAPNEL_TESTS)
    list(TRANSFORM M_TEST_DEPS REPLACE "/" "_")
    list(TRANSFORM M_TEST_DEPS PREPEND grapnel_)
    add_executable(${name}_test ${M_TESTS})
    target_link_libraries(${name}_test PRIVATE grapnel_${name} ${M_TEST_DEPS} ${M_PRIVATE_LIBS} GTest::gmock GTest::gtest_main grapnel_warnings)
    if(M_PCH)
      target_precompile_headers(${name}_test REUSE_FROM grapnel_pch_${M_PCH})
    endif()
    gtest_discover_tests(${name}_test PROPERTIES TIMEOUT 120 DISCOVERY_TIMEOUT 60)
  endif()

  if(M_FUZZ AND GRAPNEL_TESTS AND NOT GRAPNEL_SANITIZE STREQUAL "thread")  # libFuzzer has no TSan
    foreach(source IN LISTS M_FUZZ)
      get_filename_component(target ${source} NAME_WE)
      add_executable(${name}_${target} ${source})
      target_compile_options(${name}_${target} PRIVATE -fsanitize=fuzzer)
      target_link_options(${name}_${target} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${name}_${target} PRIVATE grapnel_${name} grapnel_warnings)
      # libFuzzer adds what it finds to the first folder, which is the build's.
      set(corpus ${CMAKE_SOURCE_DIR}/tests/corpus/${name}_${target})
      if(NOT IS_DIRECTORY ${corpus})
        message(FATAL_ERROR "module ${M_NAME}: ${source} has no corpus; put some inputs into ${corpus}")
      endif()
      set(found ${CMAKE_CURRENT_BINARY_DIR}/corpus/${target})
      file(MAKE_DIRECTORY ${found})
      add_test(NAME ${name}_${target} COMMAND ${name}_${target} -seed=1 -runs=3000 -timeout=20 -max_len=16384
        -verbosity=0 -artifact_prefix=${found}- ${found} ${corpus})
      set_tests_properties(${name}_${target} PROPERTIES TIMEOUT 120)
    endforeach()
  endif()
endfunction()
