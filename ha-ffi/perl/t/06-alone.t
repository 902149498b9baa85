# Each module can be used alone.
use v5.26;
use warnings;
use Test::More;
use HA;

my ($folder) = grep { -e "$_/HA/Crm.pm" } @INC;
my @modules = sort map { m{/(\w+)\.pm\z} ? "HA::$1" : () } glob "$folder/HA/*.pm";
cmp_ok(scalar @modules, '>', 20, 'there are modules');
for my $module (@modules) {
    my $said = qx($^X -I"$folder" -e 'use warnings; use $module; print HA->can("version") || "$module" =~ /Interface|JSON|Error|Object|FFI/ ? "well" : "HA is missing"' 2>&1);
    is($said, 'well', $module);
}
is(qx($^X -I"$folder" -e 'use warnings; use HA::Timings; print HA::Timings->new("fast")->get("lock_lifetime_s")' 2>&1), 6.6, 'and works');

done_testing;
