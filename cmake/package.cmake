# The Debian package: scripts/package. Libraries are found by dpkg-shlibdeps; every file below /etc is
# a conffile; the maintainer scripts are beside this file.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fieldgate)
set(CPACK_PACKAGE_CONTACT "The Fieldgate authors <fieldgate@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION
"Polls Modbus devices on serial lines and TCP, maps registers to product-model
properties, keeps them in a durable outbox and carries them to the cloud,
commands back. Nothing is enabled or started by the installation.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd (>= 250), passwd")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_PREFIX /usr)
# DESTDIR, because units and configuration have absolute places.
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

file(GLOB_RECURSE conffiles CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/conf
    ${PROJECT_SOURCE_DIR}/conf/templates/* ${PROJECT_SOURCE_DIR}/conf/models/*)
list(TRANSFORM conffiles PREPEND /etc/fieldgate/)
list(JOIN conffiles "\n" conffiles)
file(WRITE ${PROJECT_BINARY_DIR}/conffiles "${conffiles}\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/conffiles
    ${PROJECT_SOURCE_DIR}/cmake/debian/postinst ${PROJECT_SOURCE_DIR}/cmake/debian/prerm
    ${PROJECT_SOURCE_DIR}/cmake/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION /usr/share/doc/fieldgate RENAME copyright)
foreach(page README.md ARCHITECTURE.md)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${page})
        install(FILES ${PROJECT_SOURCE_DIR}/${page} DESTINATION /usr/share/doc/fieldgate)
    endif()
endforeach()
include(CPack)
