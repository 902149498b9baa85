package HA::FFI;

# Calls into libha: how arguments go in, answers come out, and errors become exceptions. Nothing here is for users.

use v5.26;
use warnings;
use Carp ();
use Config;
use FFI::Platypus 2.00;
use FFI::Platypus::Buffer qw(scalar_to_buffer buffer_to_scalar);
use HA::Error;
use HA::Interface;
use HA::JSON;
use HA::Object;

use constant ABI_VERSION => 2;

our $PTR = $Config{ptrsize} == 8 ? 'Q' : 'L';

our $ffi = FFI::Platypus->new(api => 2);

sub _library {
    return $ENV{HA_LIBRARY} if $ENV{HA_LIBRARY};
    require FFI::CheckLib;
    my ($found) = FFI::CheckLib::find_lib(lib => 'ha');
    return $found // 'libha.so.1';
}

$ffi->lib(_library());

# The letters of HA::Interface::SIGNATURES, one for each argument:
#   h handle   s text in   l list of texts in   p pointer   i/u 32 bit   q/Q 64 bit   z size   d number
#   H handle out   T owned text out   S lent text out   I/U/Q/L/Z/D numbers out   R(n) struct out
# After a "|" is what is written by the function. The error is always last, but for those marked with "-".
my %IN = (
    h => ['opaque'], p => ['opaque'], s => ['string', 'size_t'], l => ['opaque', 'size_t'], i => ['sint32'],
    u => ['uint32'], q => ['sint64'], Q => ['uint64'], z => ['size_t'], d => ['double'],
);
my %OUT = (
    H => 'opaque*', T => 'opaque', S => 'opaque', I => 'sint32*', U => 'uint64*', L => 'sint64*', Z => 'size_t*',
    D => 'double*',
);

# Functions that do not give a status.
$ffi->attach([ha_abi_version => 'abi_version'], [] => 'uint32');
$ffi->attach([ha_version => 'version'], [] => 'string');
$ffi->attach([ha_live_handles => 'live_handles'], [] => 'size_t');
$ffi->attach([ha_live_texts => 'live_texts'], [] => 'size_t');
$ffi->attach([ha_event_get_kind => 'event_get_kind'], ['opaque'] => 'sint32');
$ffi->attach([ha_error_status => 'error_status'], ['opaque'] => 'sint32');
$ffi->attach([ha_error_line => 'error_line'], ['opaque'] => 'size_t');
$ffi->attach(["ha_error_$_" => "error_$_"], ['opaque'] => 'string') for qw(message kind section field details);
$ffi->attach(["ha_${_}_name" => "${_}_name"], ['sint32'] => 'string') for @HA::Interface::WORDS;

Carp::croak(sprintf 'libha has interface %d, version %d or later is needed', abi_version(), ABI_VERSION)
    if abi_version() < ABI_VERSION;

# The numbers of words, from the words.
our %NUMBER;
for my $what (@HA::Interface::WORDS) {
    no strict 'refs';
    my $name = \&{"${what}_name"};
    for (my $number = 1; defined(my $word = $name->($number)); $number++) {
        $NUMBER{$what}{$word} = $number;
    }
}

# The names of the numbers that have no words.
our %NAME = map { $_ => { reverse %{$HA::Interface::NUMBERS{$_}} } } keys %HA::Interface::NUMBERS;

sub word_number {
    my ($what, $word) = @_;
    return $NUMBER{$what}{$word // ''}
        // HA::Error->throw(status => 'argument', message => "'" . ($word // 'undef') . "' is no $what");
}

# Named arguments as a hash; throws for one that is not known, so that no wish is left unheard for a letter.
sub named {
    my ($what, $known, @given) = @_;
    HA::Error->throw(status => 'argument', message => "$what: an odd number of named arguments") if @given % 2;
    my %given = @given;
    for my $name (sort keys %given) {
        next if grep { $_ eq $name } @$known;
        HA::Error->throw(status => 'argument', message => "$what has no argument '$name', only " . join ', ', @$known);
    }
    return %given;
}

sub word { my ($what, $number) = @_; no strict 'refs'; return &{"${what}_name"}($number) }

my %FUNCTIONS;

sub _function {
    my ($name) = @_;
    return $FUNCTIONS{$name} //= do {
        my $signature = $HA::Interface::SIGNATURES{$name} // Carp::confess("no function $name");
        my $has_error = $signature !~ s/-$//;
        my ($in, $out) = split /\|/, $signature;
        my @in  = split //, $in  // '';
        my @out = split //, $out // '';
        my @types = ((map { @{$IN{$_}} } @in), (map { $OUT{$_} } @out), $has_error ? 'opaque*' : ());
        [$ffi->function("ha_$name" => \@types => 'sint32'), \@in, \@out, $has_error];
    };
}

# Bytes of a text as UTF-8.
sub utf8_bytes { my ($text) = @_; utf8::encode($text); return $text }

sub _text { my ($bytes) = @_; utf8::decode($bytes); return $bytes }

# A text that C lends: a pointer and a length.
sub lent { my ($data, $length) = @_; return $data ? _text(buffer_to_scalar($data, $length)) : undef }

# A list of texts as C takes it. What it returns has to live as long as the pointer in it is used.
sub str_list {
    my @bytes = map { utf8_bytes($_) } @_;
    my $list = join '', map { pack "$PTR$PTR", (scalar_to_buffer($_))[0], length $_ } @bytes;
    return { bytes => \@bytes, list => \$list, data => @bytes ? (scalar_to_buffer($list))[0] : undef, count => scalar @bytes };
}

sub room { my ($size) = @_; return "\0" x $size }

sub address { return (scalar_to_buffer($_[0]))[0] }

sub handle_of { my ($object) = @_; return ref $object ? $object->{handle} : $object }

# Calls a function. Gives its status (1 well, 2 none) and what it wrote; throws if it failed.
sub call {
    my ($name, @arguments) = @_;
    my ($function, $in, $out, $has_error) = @{_function($name)};
    my (@pass, @keep, @written);
    for my $letter (@$in) {
        my $argument = shift @arguments;
        if ($letter eq 's') {
            my $bytes = ref $argument eq 'SCALAR' ? $$argument : defined $argument ? utf8_bytes($argument) : undef;
            push @pass, $bytes, defined $bytes ? length $bytes : 0;
        } elsif ($letter eq 'l') {
            my $list = str_list(@{$argument // []});
            push @keep, $list;
            push @pass, $list->{data}, $list->{count};
        } elsif ($letter eq 'h') {
            push @pass, handle_of($argument);
        } else {
            push @pass, $argument;
        }
    }
    for my $letter (@$out) {
        if ($letter eq 'T' || $letter eq 'S') {
            my $room = room(2 * $Config{ptrsize});
            push @written, \$room;
            push @pass, address($room);
        } else {
            my $value = $letter eq 'H' ? undef : 0;
            push @written, \$value;
            push @pass, \$value;
        }
    }
    my $error;
    my $status = $function->call(@pass, $has_error ? \$error : ());
    _throw($status, $error, $name) if $status < 0;
    my @values;
    for my $letter (@$out) {
        my $value = shift @written;
        if ($letter eq 'T') {
            my ($data, $length) = unpack "$PTR$PTR", $$value;
            push @values, $data ? buffer_to_scalar($data, $length) : undef;
            _function('text_free')->[0]->call(address($$value)) if $data;
        } elsif ($letter eq 'S') {
            push @values, lent(unpack "$PTR$PTR", $$value);
        } else {
            push @values, $$value;
        }
    }
    return ($status, @values);
}

# What a function wrote first; undef if it says that there is none.
sub get { my ($status, @values) = call(@_); return $status == 2 ? undef : $values[0] }

# The fields of structs: S or N, and the name.
my %FIELDS = map { my ($what, $fields) = ($_, $HA::Interface::STRUCTS{$_}[2]); $what => [map { [/\A([SN])(.*)/] } @$fields] }
    keys %HA::Interface::STRUCTS;

# A struct for the library, by the names of its fields: a text that is not given is none, a number is 0. It holds what it points
# to; `address` is where it lies.
sub struct {
    my ($what, %values) = @_;
    my ($size, $template) = @{$HA::Interface::STRUCTS{$what}};
    my (@texts, @packed);
    for my $field (@{$FIELDS{$what}}) {
        my ($kind, $name) = @$field;
        my $value = $values{$name};
        if ($kind eq 'N') {
            push @packed, $value // 0;
        } else {
            my $bytes = length($value // '') ? utf8_bytes($value) : undef;
            push @texts, \$bytes;
            push @packed, defined $bytes ? (scalar_to_buffer($bytes))[0] : 0, length($bytes // '');
        }
    }
    my $struct = pack $template, @packed;
    return { address => address($struct), struct => \$struct, texts => \@texts };
}

# Calls a function whose last argument is a struct that it writes, and gives the fields by name, without texts that are none; undef
# if the function says that there is none.
sub get_struct {
    my ($what, $function, @arguments) = @_;
    my ($size, $template) = @{$HA::Interface::STRUCTS{$what}};
    my $room = room($size);
    my ($status) = call($function, @arguments, address($room));
    return undef if $status == 2;
    my @values = unpack $template, $room;
    my %found;
    for my $field (@{$FIELDS{$what}}) {
        my ($kind, $name) = @$field;
        my $value = $kind eq 'S' ? lent(splice @values, 0, 2) : shift @values;
        $found{$name} = $value if defined $value;
    }
    return \%found;
}

# The same for a text for people or programs (not the bytes of a file).
sub get_text { my $bytes = get(@_); return defined $bytes ? _text($bytes) : undef }

sub error_from_handle {
    my ($handle) = @_;
    my $text = sub { my ($text) = @_; return defined $text && length $text ? _text($text) : undef };
    my $error = HA::Error->new(
        status  => error_status($handle),
        message => $text->(error_message($handle)) // '',
        code    => $text->(error_kind($handle)),
        line    => error_line($handle) || undef,
        section => $text->(error_section($handle)),
        field   => $text->(error_field($handle)),
        details => HA::JSON::decode_if_any(error_details($handle)),
    );
    _function('error_free')->[0]->call($handle);
    return $error;
}

sub _throw {
    my ($status, $error, $name) = @_;
    die error_from_handle($error) if $error;
    HA::Error->throw(status => $status, message => "ha_$name failed");
}

1;
