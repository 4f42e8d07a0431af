// The compiled half of Asio (BOOST_ASIO_SEPARATE_COMPILATION): built once here, not in every file.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
