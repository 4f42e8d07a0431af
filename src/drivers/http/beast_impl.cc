// The compiled half of Beast (BOOST_BEAST_SEPARATE_COMPILATION): built once here, not in every
// file.
#include <boost/beast/src.hpp>
